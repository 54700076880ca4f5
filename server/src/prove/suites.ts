import { backup } from "./backup.ts";
import { crash } from "./crash.ts";
import type { ProofSuite } from "./suite.ts";
import { tamper } from "./tamper.ts";

/** Every suite, in the order in which they run. */
export const SUITES: readonly ProofSuite[] = [crash, backup, tamper];
