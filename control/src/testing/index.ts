export { createSimHost, type SimHost, simFacts } from './sim-host.ts'
