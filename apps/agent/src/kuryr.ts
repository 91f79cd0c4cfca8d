import { kuryrUsage, readKuryrOptions } from './kuryr-options.ts'
import { runPlugin } from './plugin-main.ts'

/** `gantry kuryr`: Docker's network plugin by itself, for engines that Gantry does not run. */
await runPlugin({
  word: 'kuryr',
  usage: kuryrUsage,
  read: readKuryrOptions,
  hostOf: ({ neutronHost }) => neutronHost,
  // What it stands on is loaded once its options are known to be right.
  start: async (settings, env, log) => (await import('./run-kuryr.ts')).startKuryr(settings, env, log),
})
