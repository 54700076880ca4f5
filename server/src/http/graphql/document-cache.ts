import { LRUCache } from "lru-cache";

/** Total text in the cache, in UTF-16 units. Its syntax trees use about forty times as much memory. */
const MAX_TEXT = 512 * 1024;

/** A longer document usually contains values, so it is not sent again. */
const MAX_DOCUMENT_TEXT = 16 * 1024;

/**
 * Returns a cache of results by document text. Limited by size and not only by number: a thousand documents
 * of a megabyte each would fill the memory.
 */
export function documentCache<T extends object>(): LRUCache<string, T> {
  return new LRUCache({
    maxSize: MAX_TEXT,
    maxEntrySize: MAX_DOCUMENT_TEXT,
    sizeCalculation: (_value, text) => text.length + 1,
  });
}
