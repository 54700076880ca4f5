import type { Quarantine, QuarantinedFile } from "../../services/quarantine.ts";
import { builder } from "../types/builder.ts";

const QuarantinedFileType = builder.objectRef<QuarantinedFile>("QuarantinedFile").implement({
  description: "A file or folder in quarantine. Only emptyQuarantine deletes it.",
  fields: (t) => ({
    name: t.exposeString("name", {
      description:
        "Name of the file or folder in `.tierkeep/quarantine`: random digits, then its original name.",
    }),
    sizeBytes: t.expose("sizeBytes", {
      type: "SafeInt",
      description: "Size in bytes. For a folder: the total size of the files in it.",
    }),
    movedAt: t.expose("movedAt", {
      type: "DateTime",
      description: "When the file or folder was moved to quarantine.",
    }),
  }),
});

export const QuarantineType = builder.objectRef<Quarantine>("Quarantine").implement({
  description:
    "Files that were set aside in quarantine. No artifact refers to them; a repair may recover content from them.",
  fields: (t) => ({
    count: t.expose("count", { type: "SafeInt", description: "Number of files." }),
    totalBytes: t.expose("totalBytes", {
      type: "SafeInt",
      description: "Total size in bytes.",
    }),
    files: t.expose("files", {
      type: [QuarantinedFileType],
      description: "The files, oldest first, at most 1000.",
    }),
  }),
});
