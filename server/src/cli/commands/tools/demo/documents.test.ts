import { identifierProblem } from "@tierkeep/schema/domain/identifiers";
import { expect, it } from "vitest";
import { demoDocument } from "./documents.ts";

const documents = Array.from({ length: 200 }, (_, index) => demoDocument(index));
const STREAMED_FROM = 64 * 1024;

it("demoDocument returns the same bytes each time and on every machine", () => {
  expect(documents.map(({ checksum }) => checksum)).toEqual(
    documents.map((_, index) => demoDocument(index).checksum),
  );
  expect(documents.slice(0, 4).map(({ checksum }) => checksum.slice(0, 12))).toMatchInlineSnapshot(`
    [
      "27c742a7bc03",
      "2d1d6b6d4f0f",
      "91d83537277f",
      "a3886af7184c",
    ]
  `);
});

it("demoDocument returns distinct names and contents", () => {
  const names = documents.map(({ workflowId, artifactId }) => `${workflowId}/${artifactId}`);
  expect(new Set(names).size).toBe(documents.length);
  expect(new Set(documents.map(({ checksum }) => checksum)).size).toBe(documents.length);
});

it("demoDocument returns four kinds, and among the first five both inline and streamed sizes", () => {
  const endings = new Set(documents.slice(0, 4).map(({ artifactId }) => artifactId.split(".").pop()));
  expect([...endings].sort()).toEqual(["csv", "json", "md", "txt"]);
  const large = documents.slice(0, 5).filter(({ bytes }) => bytes.length >= STREAMED_FROM);
  expect(large.length).toBeGreaterThan(0);
  expect(large.length).toBeLessThan(5);
});

it("demoDocument returns valid identifiers", () => {
  for (const { workflowId, artifactId } of documents) {
    expect(identifierProblem("workflowId", workflowId)).toBeNull();
    expect(identifierProblem("artifactId", artifactId)).toBeNull();
  }
});
