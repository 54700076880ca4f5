/** The settings that belong to the store, as one JSON document. No row: the store has none yet. */
export const SCHEMA_8 = `
CREATE TABLE store_settings (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  document TEXT NOT NULL
) STRICT;
`;
