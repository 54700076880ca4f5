// The public API for runtimes with a file system: Node, Bun and Deno.
export { type DownloadedFile, type DownloadFileOptions, downloadFile } from "./download-file.ts";
export { type DownloadTreeOptions, downloadTree } from "./download-tree.ts";
export { fileContent } from "./file-content.ts";
export type { Tree, TreeFile, TreeProgress, TreeResult } from "./tree.ts";
export { planTree, type SkippedFile, type TreePlan, type TreePlanOptions } from "./tree-plan.ts";
export { uploadFile } from "./upload-file.ts";
export { type UploadTreeOptions, uploadTree } from "./upload-tree.ts";
