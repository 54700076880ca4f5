import process from "node:process";
import { FileOperations } from "./file-operations.ts";
import "./io-worker.ts";

// For tests: a worker that dies in the middle of one kind of operation.
FileOperations.prototype.quarantine = () => process.exit(1);
