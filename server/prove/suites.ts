import { backup } from "./backup.ts";
import { crash } from "./crash.ts";
import { fault } from "./fault.ts";
import { isolation } from "./isolation.ts";
import { powerLoss } from "./power-loss.ts";
import { rot } from "./rot.ts";
import type { ProofSuite } from "./suite.ts";
import { tamper } from "./tamper.ts";

/** All suites, in the order in which they run. */
export const SUITES: readonly ProofSuite[] = [crash, powerLoss, fault, rot, tamper, backup, isolation];
