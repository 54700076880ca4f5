import type { Quarantine, QuarantinedFile } from "../../services/quarantine.ts";
import { builder } from "../types/builder.ts";

const QuarantinedFileType = builder.objectRef<QuarantinedFile>("QuarantinedFile").implement({
  description: "A file or folder that was moved out of the way. Nothing deletes it but emptyQuarantine.",
  fields: (t) => ({
    name: t.exposeString("name", {
      description: "Its name in `.tierkeep/quarantine`: random digits, then the name that it had.",
    }),
    sizeBytes: t.expose("sizeBytes", {
      type: "SafeInt",
      description: "Its size in bytes. Of a folder: of all files in it.",
    }),
    movedAt: t.expose("movedAt", { type: "DateTime", description: "When it was moved there." }),
  }),
});

export const QuarantineType = builder.objectRef<Quarantine>("Quarantine").implement({
  description: "Files that were moved out of the way and that no artifact needs.",
  fields: (t) => ({
    count: t.expose("count", { type: "SafeInt", description: "How many there are." }),
    totalBytes: t.expose("totalBytes", {
      type: "SafeInt",
      description: "Their sizes added up, in bytes.",
    }),
    files: t.expose("files", {
      type: [QuarantinedFileType],
      description: "The files, oldest first: at most the first 1000.",
    }),
  }),
});
