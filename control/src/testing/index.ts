export { createSimHost, type SimHost, simFacts } from './sim-host.ts'
export { unfaked } from './unfaked.ts'
