export { argPairs, type CommandForm, commandForm, flagsOf, namedValues, quotedWords, wordList } from './arguments.ts'
export { BuildArgs } from './build-args.ts'
export { BuildError, needsBuildKit } from './build-error.ts'
export { changedConfig } from './changed-config.ts'
export { checkForm } from './check-form.ts'
export { configStep, inShell, shellOf, type StepInput, type StepResult, workdirOf } from './config-step.ts'
export {
  atLine,
  type Dockerfile,
  type Instruction,
  parseDockerfile,
  parseInstruction,
  unreadable,
} from './dockerfile.ts'
export { expand, type Lookup, lookupIn, splitPair } from './expand.ts'
export { healthcheckOf } from './healthcheck.ts'
export type { ImageConfig } from './image-config.ts'
export {
  baseOf,
  type BuildPlan,
  buildPlan,
  declareMetaArg,
  declareMetaArgs,
  imagesNamed,
  type PlanOptions,
  type Stage,
  stageNamed,
} from './stages.ts'
