import { BuildArgs } from './build-args.ts'
import { BuildError } from './build-error.ts'
import { checkForm } from './check-form.ts'
import { configStep, workdirOf } from './config-step.ts'
import { type Instruction, parseDockerfile } from './dockerfile.ts'
import { expand, lookupIn } from './expand.ts'
import type { ImageConfig } from './image-config.ts'

/** As the engine has it; what else a Dockerfile may say needs a container. */
const allowed = 'CMD ENTRYPOINT ENV EXPOSE HEALTHCHECK LABEL ONBUILD USER VOLUME WORKDIR'.split(' ')

/** A config after the lines that `docker import` and `docker commit` take with `--change`. Throws `BuildError`. */
export function changedConfig(config: ImageConfig, lines: readonly string[]): ImageConfig {
  const { instructions, escape } = parseDockerfile(lines.join('\n'))
  const forbidden = instructions.find(({ name }) => !allowed.includes(name))
  if (forbidden) throw new BuildError(`${forbidden.name} is not a valid change command`)
  const args = new BuildArgs({})
  let cmdSet = false
  return instructions.reduce((before: ImageConfig, instruction: Instruction) => {
    checkForm(instruction, escape)
    const lookup = lookupIn(before.Env ?? [])
    if (instruction.name === 'WORKDIR') {
      return { ...before, WorkingDir: workdirOf(before, expand(instruction.rest, lookup, escape)) }
    }
    const step = configStep(instruction, { config: before, author: '', cmdSet, lookup, escape, args })
    cmdSet ||= step.cmdSet ?? false
    return step.config
  }, config)
}
