export { anEngineContainer } from './an-engine-container.ts'
