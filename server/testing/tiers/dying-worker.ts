import process from "node:process";
import { FileOperations } from "../../src/tiers/filesystem/workers/file-operations.ts";
import "../../src/tiers/filesystem/workers/io-worker.ts";

// For tests: a worker that dies in the middle of one kind of operation.
FileOperations.prototype.quarantine = () => process.exit(1);
