import { loadProgram } from "./program.ts";

const program = await loadProgram(process.argv[2]);
await program.parseAsync();
