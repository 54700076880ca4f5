import { LRUCache } from "lru-cache";

/** Text that is kept altogether, in UTF-16 units. Its syntax trees are some forty times as large. */
const MAX_TEXT = 512 * 1024;

/** A longer document carries its values inside of itself, and does not come again. */
const MAX_DOCUMENT_TEXT = 16 * 1024;

/**
 * What was made of documents, by their text. Bounded by their size and not only by their number: a thousand documents of
 * a megabyte each would be all of the memory.
 */
export function documentCache<T extends object>(): LRUCache<string, T> {
  return new LRUCache({
    maxSize: MAX_TEXT,
    maxEntrySize: MAX_DOCUMENT_TEXT,
    sizeCalculation: (_value, text) => text.length + 1,
  });
}
