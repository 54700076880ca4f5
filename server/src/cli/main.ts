// Placeholder: the commands come here.
import process from "node:process";

process.stderr.write(`tierkeep: nothing here yet (Node ${process.version})\n`);
