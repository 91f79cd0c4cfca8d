import { existsSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { productVersion } from '@gantry/kernel'
import type { Command } from 'commander'
import { Failure } from '../failure.ts'
import { type ProgramName, programFile } from './programs.ts'

const abouts: Readonly<Record<ProgramName, string>> = {
  server: 'run a server of the control plane, one of several if they share a database',
  agent: 'make this machine a host: run its engine for the servers',
  kuryr: "serve Docker's networks and addresses with Neutron, for engines that Gantry does not run",
  fuxi: "serve Docker's volumes with Cinder, for engines that Gantry does not run",
}

/** So that `gantry --help` lists them. They are run by `runProgram`, before any command line of ours is read. */
export function programVerbs(program: Command): void {
  program.version(productVersion, '--version', 'print the version')
  for (const [name, about] of Object.entries(abouts)) {
    program.command(name).description(about).argument('[options...]', `gantry ${name} --help lists them`)
  }
}

/** Becomes that program, with the words that follow its name. */
export async function runProgram(name: ProgramName): Promise<void> {
  const file = programFile(name, process.env)
  if (!existsSync(file)) {
    throw new Failure(`The program of gantry ${name} is not at ${file}.`, {
      remedy: 'Copy it there; gantry.mjs looks beside itself.',
    })
  }
  process.argv.splice(1, 2, file)
  await import(pathToFileURL(file).href)
}
