import type { SweptView, VerifiedView } from '@gantry/facade-native'
import type { Command } from 'commander'
import { Failure } from '../failure.ts'
import { finish, wantsJson, withApi } from './common.ts'

/** The store that images are in, for administrators. */
export function imageCareCommands(image: Command): void {
  const sweep: Command = image
    .command('sweep')
    .description('free what no image needs any more (administrators); happens by itself, too')
    .action(async () => {
      const swept = await withApi(sweep, (api) =>
        api.json<SweptView>({ method: 'POST', path: '/v1/image-store/sweep' }),
      )
      const { printJson } = await import('../output/print.ts')
      if (wantsJson(sweep)) return printJson(swept)
      const { bytes } = await import('../output/words.ts')
      process.stdout.write(`Freed ${bytes(swept.bytes)}: ${swept.blobs} blobs, ${swept.manifests} manifests.\n`)
    })
  finish(sweep, { json: true }, [{ line: 'gantry image sweep', about: 'now, and says how much it was' }])

  const verify: Command = image
    .command('verify')
    .description('read everything in the store again and tell what is damaged (administrators)')
    .action(async () => {
      const { checked, corrupt } = await withApi(verify, (api) =>
        api.json<VerifiedView>({ method: 'POST', path: '/v1/image-store/verify' }),
      )
      const { printJson } = await import('../output/print.ts')
      if (wantsJson(verify)) printJson({ checked, corrupt })
      else process.stdout.write([`Checked ${checked} blobs.`, ...corrupt, ''].join('\n'))
      if (corrupt.length === 0) return
      throw new Failure(`${corrupt.length} of ${checked} blobs are damaged and are not given out any more.`, {
        remedy: 'Push the images again that have them: that mends them.',
      })
    })
  finish(verify, { json: true }, [{ line: 'gantry image verify', about: 'exit code 1 if anything is damaged' }])
}
