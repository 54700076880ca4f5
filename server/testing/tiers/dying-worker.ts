import process from "node:process";
import { FileOperations } from "../../src/tiers/filesystem/workers/file-operations.ts";

// For tests, as the preload of I/O threads: `quarantine` ends the thread in the middle of the call.
FileOperations.prototype.quarantine = () => process.exit(1);
