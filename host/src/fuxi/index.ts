export type { FuxiBackend } from './backend.ts'
export type { CinderDefaults } from './cinder.ts'
export type { ManilaDefaults } from './manila.ts'
export { type FuxiOptions, type FuxiPlugin, fuxiPlugin } from './fuxi-plugin.ts'
