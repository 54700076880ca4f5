import { exactJson } from "@tierkeep/schema/domain/exact-numbers";
import { TIERS, type Tier } from "@tierkeep/schema/domain/tiers";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { FoundFile } from "../tiers/tier-view.ts";
import { adoptionOf, chooseFile } from "./adoption.ts";

const key = { tenantId: "acme", workflowId: "weekly", artifactId: "report.md" };
const WRITTEN = Date.UTC(2024, 0, 15, 10, 30);
const bytes = { sizeBytes: 5, checksum: "a".repeat(64) };
const live = { dryRun: false, copied: false };

function file(
  tier: Tier,
  given: Partial<FoundFile> & { readonly facts?: Record<string, unknown> } = {},
): FoundFile {
  const { facts = null, ...rest } = given;
  return {
    tier,
    path: `${tier.toLowerCase()}/acme/weekly/report.md`,
    sizeBytes: 5,
    modifiedNs: BigInt(WRITTEN) * 1_000_000n,
    revision: "1",
    sidecar: { facts, problem: null },
    sameAs: tier,
    object: null,
    reusable: true,
    ...rest,
  };
}

function adopted(facts: Record<string, unknown>, given: Partial<FoundFile> = {}) {
  const winner = file("WARM", { facts, ...given });
  return adoptionOf(key, { winner, losers: [] }, bytes, live);
}

const kinds = (adoption: ReturnType<typeof adopted>) => adoption.findings.map(({ kind }) => kind);

describe("chooseFile", () => {
  const later = BigInt(WRITTEN + 1) * 1_000_000n;

  it("prefers the higher version, even if that file is older", () => {
    const { winner, losers } = chooseFile([
      file("HOT", { facts: { _version: 3 }, modifiedNs: later }),
      file("COLD", { facts: { _version: 4 } }),
    ]);
    expect([winner.tier, losers.map(({ tier }) => tier)]).toEqual(["COLD", ["HOT"]]);
  });

  it("prefers the later modification, to the nanosecond, if the versions are equal", () => {
    const { winner } = chooseFile([
      file("HOT"),
      file("WARM", { modifiedNs: BigInt(WRITTEN) * 1_000_000n + 1n }),
    ]);
    expect(winner.tier).toBe("WARM");
  });

  it("prefers the hotter tier if nothing else differs", () => {
    expect(chooseFile([file("COLD"), file("WARM"), file("HOT")]).winner.tier).toBe("HOT");
  });

  it("ignores a version that is not a non-negative safe integer", () => {
    for (const _version of ["9", 1.5, null, -3, 2 ** 60]) {
      expect(chooseFile([file("HOT"), file("COLD", { facts: { _version } })]).winner.tier).toBe("HOT");
    }
  });

  it("does not treat links to the same file as a conflict", () => {
    const files = [file("HOT"), file("WARM"), file("COLD", { sameAs: "WARM", modifiedNs: later })];
    const { winner, losers } = chooseFile(files);
    expect([winner.tier, losers.map(({ tier }) => tier)]).toEqual(["COLD", ["HOT"]]);
  });

  it("chooses the same file for any order of the files", () => {
    const files = fc.tuple(
      ...TIERS.map((tier) =>
        fc
          .tuple(fc.integer({ min: -1, max: 2 }), fc.bigInt(0n, 2n))
          .map(([version, modifiedNs]) => file(tier, { facts: { _version: version }, modifiedNs })),
      ),
    );
    fc.assert(
      fc.property(
        files.chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: 3 }))),
        ([all, shuffled]) => {
          expect(chooseFile(shuffled).winner).toBe(chooseFile(all).winner);
        },
      ),
    );
  });
});

describe("adoptionOf", () => {
  it("takes metadata, times, age and content type from the sidecar", () => {
    const { artifact, findings } = adopted({
      author: "Ann",
      nested: { _kept: 1 },
      _created_at: "2024-01-15T10:30:00.123456",
      _modified_at: "2024-02-01T00:00:00Z",
      _age_since: "2024-03-01T01:00:00+01:00",
      _checksum: bytes.checksum.toUpperCase(),
      _content_type: "text/x-report",
      _tier: "hot",
    });
    expect(artifact).toEqual({
      tier: "WARM",
      ...bytes,
      contentType: "text/x-report",
      metadata: { author: "Ann", nested: { _kept: 1 } },
      createdAt: Date.UTC(2024, 0, 15, 10, 30, 0, 123),
      modifiedAt: Date.UTC(2024, 1, 1),
      ageSince: Date.UTC(2024, 2, 1),
    });
    expect(findings.map(({ kind, path }) => [kind, path])).toEqual([
      ["ADOPTED", "warm/acme/weekly/report.md"],
    ]);
  });

  it("takes times and content type from the file if there is no sidecar", () => {
    expect(adoptionOf(key, { winner: file("HOT"), losers: [] }, bytes, live).artifact).toMatchObject({
      contentType: "text/markdown",
      metadata: {},
      createdAt: WRITTEN,
      modifiedAt: WRITTEN,
      ageSince: WRITTEN,
    });
  });

  it("takes only the metadata from a sidecar whose checksum does not match", () => {
    const adoption = adopted({
      author: "Ann",
      _created_at: "2020-01-01T00:00:00",
      _age_since: "2020-01-01T00:00:00",
      _content_type: "text/x-report",
      _checksum: "b".repeat(64),
    });
    expect(kinds(adoption)).toEqual(["CHECKSUM_DIFFERS", "ADOPTED"]);
    expect(adoption.artifact).toMatchObject({
      metadata: { author: "Ann" },
      contentType: "text/markdown",
      createdAt: WRITTEN,
      ageSince: WRITTEN,
    });
  });

  it("adopts a file without its torn or oversized sidecar, and reports that", () => {
    const torn = adopted({}, { sidecar: { facts: null, problem: "is damaged: it is not JSON" } });
    expect([kinds(torn), torn.artifact.metadata]).toEqual([["TORN_SIDECAR", "ADOPTED"], {}]);
    const large = adopted({ text: "x".repeat(70_000), _created_at: "2020-01-01T00:00:00" });
    expect([kinds(large), large.artifact.metadata]).toEqual([["TORN_SIDECAR", "ADOPTED"], {}]);
    expect(large.artifact.createdAt).toBe(Date.UTC(2020, 0, 1));
  });

  it("reports a retention override", () => {
    expect(kinds(adopted({ retention_override: null }))).toEqual(["RETENTION_OVERRIDE", "ADOPTED"]);
  });

  it("reports each displaced file with its path", () => {
    const adoption = adoptionOf(key, { winner: file("HOT"), losers: [file("COLD")] }, bytes, live);
    expect(adoption.findings.map(({ kind, path, tier }) => [kind, path, tier])).toEqual([
      ["QUARANTINED", "cold/acme/weekly/report.md", "COLD"],
      ["ADOPTED", "hot/acme/weekly/report.md", "HOT"],
    ]);
  });

  it("returns a row that can be stored and shown, for any sidecar", () => {
    const facts = fc.dictionary(
      fc.oneof(
        fc.constantFrom(
          "_created_at",
          "_modified_at",
          "_age_since",
          "_version",
          "_content_type",
          "_checksum",
          "__proto__",
          "a",
        ),
        fc.string(),
      ),
      fc.oneof(
        fc.jsonValue(),
        fc.constantFrom("2024-13-99T99:99:99", "0000-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"),
      ),
    );
    fc.assert(
      fc.property(facts, fc.bigInt(-(10n ** 20n), 10n ** 20n), (found, modifiedNs) => {
        const { artifact } = adopted(JSON.parse(JSON.stringify(found)), { modifiedNs });
        for (const at of [artifact.createdAt, artifact.modifiedAt, artifact.ageSince]) {
          expect(Number.isSafeInteger(at)).toBe(true);
          expect(new Date(at).toISOString()).toMatch(/^\d{4}-/);
        }
        expect(Object.keys(artifact.metadata).filter((name) => name.startsWith("_"))).toEqual([]);
      }),
    );
  });
});

it("keeps the text of a metadata number that a double cannot hold, and reports that", () => {
  const facts = JSON.parse(exactJson('{"id":12345678901234567890,"in":[{"n":9007199254740993}],"f":0.5}'));
  const adoption = adopted(facts);
  expect(adoption.artifact.metadata).toEqual({
    id: "12345678901234567890",
    in: [{ n: "9007199254740993" }],
    f: 0.5,
  });
  expect(kinds(adoption)).toContain("TORN_SIDECAR");
});
