import type { ImageView } from '@gantry/facade-native'
import type { Command } from 'commander'
import { Failure, usage } from '../failure.ts'
import { printMade } from './collection.ts'
import { finish, withApi } from './common.ts'

/** Images as files, in the form of `docker save`. */
export function imageArchiveCommands(image: Command): void {
  saveCommand(image)
  loadCommand(image)
}

function saveCommand(image: Command): void {
  const save: Command = image
    .command('save')
    .description('write an image to a file that `docker load` takes')
    .argument('<image>', 'name or id')
    .argument('<file>', '- for the standard output')
    .action(async (ref: string, file: string) => {
      if (file === '-' && process.stdout.isTTY) throw usage('An archive is no text for a terminal; name a file.')
      await withApi(save, async (api) => {
        const answer = await api.stream({ path: `/v1/images/${encodeURIComponent(ref)}/archive` })
        const { pipeline } = await import('node:stream/promises')
        if (file === '-') return pipeline(answer, process.stdout)
        const { createWriteStream } = await import('node:fs')
        const { rename, rm } = await import('node:fs/promises')
        // Half an archive must not look like a whole one.
        const part = `${file}.part`
        try {
          await pipeline(answer, createWriteStream(part))
          await rename(part, file)
        } catch (error) {
          await rm(part, { force: true })
          throw new Failure(`${file} could not be written: ${error instanceof Error ? error.message : ''}.`, {
            cause: error,
          })
        }
        process.stdout.write(`${file}\n`)
      })
    })
  finish(save, { json: false }, [
    { line: 'gantry image save team/app:1 app.tar', about: 'to a file' },
    { line: 'gantry image save team/app:1 - | gzip > app.tgz', about: 'to a pipe' },
  ])
}

function loadCommand(image: Command): void {
  const load: Command = image
    .command('load')
    .description('bring images here from a file made by `docker save`; prints the first of them')
    .argument('<file>', '- for the standard input')
    .option('--name <name>', 'REPO or REPO:TAG (default: what the archive says)')
    .action(async (file: string, { name }: { name?: string }) => {
      const input = file === '-' ? process.stdin : await opened(file)
      const made = await withApi(load, (api) =>
        api.json<ImageView>({
          method: 'POST',
          path: '/v1/images/archive',
          query: name === undefined ? {} : { name },
          input,
        }),
      )
      await printMade(load, made, made.name || made.id)
    })
  finish(load, { json: true }, [
    { line: 'gantry image load app.tar', about: 'under the name in it' },
    { line: 'docker save app | gantry image load - --name team/app:2', about: 'from a pipe' },
  ])
}

async function opened(file: string) {
  const { open } = await import('node:fs/promises')
  try {
    return (await open(file)).createReadStream()
  } catch (error) {
    throw new Failure(`${file} cannot be read: ${error instanceof Error ? error.message : ''}.`, { cause: error })
  }
}
