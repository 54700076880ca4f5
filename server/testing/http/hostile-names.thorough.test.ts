import { win32 } from "node:path";
import { identifierProblem } from "@tierkeep/schema/domain/identifiers";
import { artifactPath, keyOfText, keyText } from "@tierkeep/schema/domain/keys";
import { artifactGlobalId, parseGlobalId } from "@tierkeep/schema/graphql/types/global-ids";
import { expect, it } from "vitest";
import { artifactKeyOf } from "../../src/http/artifacts/artifact-path.ts";
import { Layout } from "../../src/tiers/filesystem/layout.ts";
import { type Draw, drawing } from "../tiers/crash-loss.ts";

const RUNS = 1_000_000;
const SEED = Number(process.env.MODEL_SEED ?? Math.floor(Math.random() * 2 ** 31));

const HARMLESS = ["a", "B-1", "é", "😀", "c.txt", "/", "a/b", "__proto__", "~", "%2F", "%2e%2e", "%"];
const HOSTILE = [
  ...[
    "e\u0301",
    "\ud800",
    "\udc00",
    "\ufeff",
    "\u202e",
    "\u0000",
    "\u009f",
    "\n",
    " ",
    "\u00a0",
    "*",
    "?",
    "|",
  ],
  ...["//", "\\", ".", "..", "./", "/../", ":", "CON", "nul.txt", ".file", ".tmp", ".metadata.json"],
  ...["a".repeat(199), "a/".repeat(31)],
];

/** Returns up to six pieces, most of them harmless. */
function hostileName(draw: Draw): string {
  const pieces = Array.from({ length: draw(6) }, () => {
    const from = draw(4) === 0 ? HOSTILE : HARMLESS;
    return from[draw(from.length - 1)] as string;
  });
  return pieces.join("");
}

it("refuses or keeps exactly each of a million hostile names, in URLs, ids, texts of keys and the tree", () => {
  const layout = new Layout("/root");
  const draw = drawing({ seed: SEED });
  let [refused, flat, nested] = [0, 0, 0];
  for (let run = 0; run < RUNS; run += 1) {
    const artifactId = hostileName(draw);
    const key = { tenantId: "t", workflowId: "w", artifactId };
    if (identifierProblem("artifactId", artifactId) !== null) {
      refused += 1;
      continue;
    }
    if (artifactId.includes("/")) nested += 1;
    else flat += 1;
    const url = artifactPath("", key);
    // The second part is slow, and a tenth of the names covers all pieces many times.
    const same =
      keyOfText(keyText(key))?.artifactId === artifactId &&
      artifactKeyOf(url).artifactId === artifactId &&
      layout.viewPaths("HOT", key).artifact === `/root/hot/t/w/${artifactId}` &&
      (run % 10 !== 0 ||
        (artifactKeyOf(`/artifacts/t/w/${encodeURIComponent(artifactId)}`).artifactId === artifactId &&
          artifactKeyOf(new URL(url, "http://localhost").pathname).artifactId === artifactId &&
          idOf(parseGlobalId(artifactGlobalId(key))) === artifactId &&
          win32.join("root", artifactId) === `root\\${artifactId.replaceAll("/", "\\")}`));
    if (!same) throw new Error(`${JSON.stringify(artifactId)} is not kept exactly (seed ${SEED})`);
  }
  // The names are of all three kinds.
  expect(refused + flat + nested).toBe(RUNS);
  for (const count of [refused, flat, nested]) expect(count).toBeGreaterThan(10_000);
}, 600_000);

function idOf(parsed: ReturnType<typeof parseGlobalId>): string | null {
  return parsed?.type === "Artifact" ? parsed.key.artifactId : null;
}
