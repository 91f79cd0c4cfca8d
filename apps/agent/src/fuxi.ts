import { fuxiUsage, readFuxiOptions } from './fuxi-options.ts'
import { runPlugin } from './plugin-main.ts'

/** `gantry fuxi`: Docker's volume plugin by itself, for engines that Gantry does not run. */
await runPlugin({
  word: 'fuxi',
  usage: fuxiUsage,
  read: readFuxiOptions,
  hostOf: ({ host }) => host,
  // What it stands on is loaded once its options are known to be right.
  start: async (settings, env, log) => (await import('./run-fuxi.ts')).startFuxi(settings, env, log),
})
