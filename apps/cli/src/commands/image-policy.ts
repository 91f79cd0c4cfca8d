import { createHash } from 'node:crypto'
import type { SignaturePolicyView } from '@gantry/facade-native'
import type { Command } from 'commander'
import { Failure } from '../failure.ts'
import { printItems } from './collection.ts'
import { collect, finish, withApi } from './common.ts'

const path = '/v1/image-policy'

/** By which keys images must be signed to run in the project. */
export function imagePolicyCommand(image: Command): void {
  const policy = image.command('policy').description('let only signed images run in the project')
  finish(policy, { json: false }, [
    { line: 'gantry image policy set --key cosign.pub', about: 'what `cosign sign` signed with its other half' },
    { line: 'gantry image policy show', about: 'the keys' },
    { line: 'gantry image policy clear', about: 'everything may run again' },
  ])

  const show: Command = policy
    .command('show')
    .description('show the keys; none: nothing is asked')
    .action(async () => print(show, await withApi(show, (api) => api.json<SignaturePolicyView>({ path }))))
  finish(show, { json: true }, [{ line: 'gantry image policy show --json', about: 'the keys themselves' }])

  const set: Command = policy
    .command('set')
    .description('from now on, a new container needs an image signed by one of these keys')
    .requiredOption('--key <file>', 'a public key in PEM; may be given several times', collect)
    .action(async ({ key: files }: { key: string[] }) => {
      const keys = await Promise.all(files.map(readKey))
      const json = { keys }
      await print(set, await withApi(set, (api) => api.json<SignaturePolicyView>({ method: 'PUT', path, json })))
    })
  finish(set, { json: true }, [
    { line: 'gantry image policy set --key cosign.pub', about: 'replaces the keys that were there' },
    { line: 'gantry image policy set --key old.pub --key new.pub', about: 'one of them is enough' },
  ])

  const clear: Command = policy
    .command('clear')
    .description('ask for no signatures any more')
    .action(async () => {
      await withApi(clear, (api) => api.json({ method: 'DELETE', path }))
    })
  finish(clear, { json: false }, [{ line: 'gantry image policy clear', about: 'everything may run again' }])
}

async function readKey(file: string): Promise<string> {
  const { readFile } = await import('node:fs/promises')
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw new Failure(`The key ${file} cannot be read.`, { cause: error })
  }
}

async function print(command: Command, { keys }: SignaturePolicyView): Promise<void> {
  await printItems(
    command,
    keys.map((key) => ({ fingerprint: fingerprintOf(key), key })),
    [{ title: 'KEY', value: ({ fingerprint }) => fingerprint }],
  )
}

/** SHA-256 of the key itself, as `openssl pkey -pubin -outform DER | sha256sum` has it. */
export function fingerprintOf(pem: string): string {
  const der = Buffer.from(pem.replace(/-----[^-]+-----/g, ''), 'base64')
  return `sha256:${createHash('sha256').update(der).digest('hex')}`
}
