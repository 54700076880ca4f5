import { parentPort, workerData } from "node:worker_threads";
import { makePage } from "./graphiql.ts";

parentPort?.postMessage(await makePage(workerData === true));
