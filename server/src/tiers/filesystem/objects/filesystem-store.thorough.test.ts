import { openFaultyStore } from "../../../../testing/tiers/faulty-tier-store.ts";
import { tierFaultsContract } from "../../../../testing/tiers/tier-faults.contract.ts";

tierFaultsContract("files", openFaultyStore);
