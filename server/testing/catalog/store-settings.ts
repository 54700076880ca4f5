import { describe, expect, it } from "vitest";
import type { ChangeSettingsChange } from "../../src/catalog/settings-changes.ts";
import type { OpenForTest } from "./opened-catalog.ts";
import { NOW, whole } from "./sample-changes.ts";

const change = (settings: object, events: ChangeSettingsChange["events"] = []): ChangeSettingsChange => ({
  kind: "changeSettings",
  at: NOW,
  actor: "system",
  settings: JSON.stringify(settings),
  events,
});

export function storeSettings(open: OpenForTest) {
  describe("the store's settings", () => {
    it("are absent from a new catalog, and the first ones write no event", async () => {
      await using opened = await open();
      expect(await opened.catalog.settings()).toBeNull();
      await opened.catalog.commit(change({ a: 1 }));
      expect(await opened.catalog.settings()).toBe('{"a":1}');
      expect(await opened.catalog.lastSeq()).toBe(0);
    });

    it("are replaced in the commit that logs each change", async () => {
      await using opened = await open();
      const { catalog } = opened;
      await catalog.commit(change({ a: 1 }));
      await catalog.commit(
        change({ a: 2 }, [
          { type: "SETTING_CHANGED", message: "a changed from 1 to 2." },
          { type: "RETENTION_CONFIRMED", message: "a is confirmed." },
        ]),
      );
      const reopened = await opened.reopen();
      expect(await reopened.settings()).toBe('{"a":2}');
      expect(await reopened.listEvents({}, "ASC", whole())).toMatchObject([
        {
          type: "SETTING_CHANGED",
          actor: "system",
          timestamp: NOW,
          error: "a changed from 1 to 2.",
          tenantId: null,
        },
        { type: "RETENTION_CONFIRMED", error: "a is confirmed." },
      ]);
    });
  });
}
