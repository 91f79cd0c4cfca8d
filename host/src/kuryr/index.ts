export type { NestedOptions } from './attachment.ts'
export type { PortWait } from './endpoints.ts'
export { type KuryrOptions, type KuryrPlugin, kuryrPlugin } from './kuryr-plugin.ts'
