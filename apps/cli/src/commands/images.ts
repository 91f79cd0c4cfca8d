import type { ImageView } from '@gantry/facade-native'
import type { Command } from 'commander'
import { finish, wantsJson, withApi } from './common.ts'

export function imagesCommand(program: Command): void {
  const images = program.command('images').description('list images the project committed, and public ones')
  images
    .option('--all-projects', 'those of every project (administrators)')
    .action(async ({ allProjects }: { allProjects?: boolean }) => {
      const query = allProjects ? { allProjects } : {}
      await print(images, await withApi(images, (api) => api.images(query)))
    })
  finish(images, { json: true }, [
    { line: 'gantry images', about: 'a table' },
    { line: 'gantry images search busybox', about: 'by part of a name' },
    { line: 'gantry images rm 8c2f…', about: 'deletes one of your own' },
  ])

  const search = images
    .command('search')
    .description('find images by part of a name')
    .argument('<name>')
    .option('--exact', 'only this very name')
    .action(async (name: string, { exact }: { exact?: boolean }) => {
      const query = { name, exact: exact || undefined }
      const { images: found } = await withApi(search, (api) =>
        api.json<{ images: ImageView[] }>({ path: '/v1/images/search', query }),
      )
      await print(search, found)
    })
  finish(search, { json: true }, [{ line: 'gantry images search --exact busybox', about: 'just that one' }])

  const remove = images
    .command('rm')
    .description('delete an image')
    .argument('<id>')
    .action(async (id: string) => {
      const path = `/v1/images/${encodeURIComponent(id)}`
      await withApi(remove, (api) => api.json({ method: 'DELETE', path }))
      process.stdout.write(`${id}\n`)
    })
  finish(remove, { json: false }, [{ line: 'gantry images rm 8c2f…', about: 'by id, as `gantry images` shows it' }])
}

async function print(command: Command, images: readonly ImageView[]): Promise<void> {
  const { printJson, printTable } = await import('../output/print.ts')
  if (wantsJson(command)) return printJson(images)
  const { ago, bytes } = await import('../output/words.ts')
  const now = Date.now()
  await printTable(images, [
    { title: 'ID', value: ({ id }) => id },
    { title: 'NAME', value: ({ name }) => name, shrink: 1 },
    { title: 'SIZE', value: ({ size }) => bytes(size) },
    { title: 'CREATED', value: ({ createdAt }) => ago(createdAt, now) },
    { title: 'HOST', value: ({ host }) => host, shrink: 2 },
    { title: 'OWNER', value: ({ projectId }) => projectId ?? 'public', shrink: 3 },
  ])
}
