import type { ImageMemberView, ImageView } from '@gantry/facade-native'
import type { Command } from 'commander'
import type { Api } from '../client/api.ts'
import { printItems } from './collection.ts'
import { collect, finish, withApi } from './common.ts'

interface WithOptions {
  readonly with?: string[]
}

/** Who else may use an image. */
export function imageSharingCommands(image: Command): void {
  shareCommand(image)
  unshareCommand(image)
  membersCommand(image)
  answerCommands(image)
  publicCommands(image)
}

function shareCommand(image: Command): void {
  const share: Command = image
    .command('share')
    .description('let other projects use an image')
    .argument('<image>', 'name or id')
    .requiredOption('--with <project>', 'its name or id; may be given several times', collect)
    .action(async (ref: string, { with: projects = [] }: WithOptions) => {
      await withApi(share, async (api) => {
        const found = await api.json<ImageView>({ path: pathOf(ref) })
        if (found.visibility === 'private') await setVisibility(api, found.id, 'shared')
        for (const project of projects) {
          await api.json({ method: 'POST', path: `${pathOf(found.id)}/members`, json: { project } })
          process.stdout.write(`${project}\n`)
        }
      })
    })
  finish(share, { json: false }, [
    { line: 'gantry image share team/app:1 --with partner', about: 'partner may run demo/team/app:1' },
    { line: 'gantry image accept demo/team/app:1', about: 'said by partner: it is in its lists, too' },
  ])
}

function unshareCommand(image: Command): void {
  const unshare: Command = image
    .command('unshare')
    .description('no longer let other projects use an image; containers that are there run on')
    .argument('<image>', 'name or id')
    .option('--with <project>', 'only this one; may be given several times (default: all)', collect)
    .action(async (ref: string, { with: projects }: WithOptions) => {
      await withApi(unshare, async (api) => {
        if (!projects) return setVisibility(api, ref, 'private')
        for (const project of projects) {
          await api.json({ method: 'DELETE', path: `${pathOf(ref)}/members/${encodeURIComponent(project)}` })
        }
        return undefined
      })
      process.stdout.write(`${ref}\n`)
    })
  finish(unshare, { json: false }, [
    { line: 'gantry image unshare team/app:1 --with partner', about: 'the others keep it' },
    { line: 'gantry image unshare team/app:1', about: 'it is the project’s alone' },
  ])
}

function membersCommand(image: Command): void {
  const members: Command = image
    .command('members')
    .description('list the projects with which an image is shared')
    .argument('<image>', 'name or id')
    .action(async (ref: string) => {
      const { members: found } = await withApi(members, (api) =>
        api.json<{ members: ImageMemberView[] }>({ path: `${pathOf(ref)}/members` }),
      )
      await printItems(members, found, [
        { title: 'PROJECT', value: ({ projectId }) => projectId },
        { title: 'ANSWER', value: ({ status }) => status },
      ])
    })
  finish(members, { json: true }, [{ line: 'gantry image members team/app:1', about: 'and what they answered' }])
}

function answerCommands(image: Command): void {
  const words = [
    ['accept', 'accepted', 'take an image that another project shares into the own lists'],
    ['reject', 'rejected', 'leave an image that another project shares out of the own lists'],
  ] as const
  for (const [word, status, about] of words) {
    const command: Command = image
      .command(word)
      .description(about)
      .argument('<image>', 'its id, or PROJECT/NAME')
      .action(async (ref: string) => {
        const path = `${pathOf(ref)}/membership`
        await withApi(command, (api) => api.json({ method: 'PUT', path, json: { status } }))
        process.stdout.write(`${ref}\n`)
      })
    finish(command, { json: false }, [{ line: `gantry image ${word} demo/team/app:1`, about: 'of the project demo' }])
  }
}

function publicCommands(image: Command): void {
  const words = [
    ['publish', 'public', 'let every project use an image (administrators)'],
    ['unpublish', 'private', 'make a public image the own project’s alone again (administrators)'],
  ] as const
  for (const [word, visibility, about] of words) {
    const command: Command = image
      .command(word)
      .description(about)
      .argument('<image>', 'name or id')
      .action(async (ref: string) => {
        await withApi(command, (api) => setVisibility(api, ref, visibility))
        process.stdout.write(`${ref}\n`)
      })
    finish(command, { json: false }, [{ line: `gantry image ${word} busybox:latest`, about: 'by name or id' }])
  }
}

async function setVisibility(api: Api, ref: string, visibility: ImageView['visibility']): Promise<void> {
  await api.json({ method: 'PATCH', path: pathOf(ref), json: { visibility } })
}

function pathOf(ref: string): string {
  return `/v1/images/${encodeURIComponent(ref)}`
}
