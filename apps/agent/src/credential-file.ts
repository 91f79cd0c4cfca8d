import { chmod, mkdir, open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import type { Credentials } from '@gantry/wire'

/** Keeps what makes this machine a host: key, certificate, the deployment's CA, ids. Readable by its owner only. */
export interface CredentialFile {
  /** null: this machine is not a host yet. Rejects when the file is there but cannot be used. */
  load(): Promise<Credentials | null>
  /** Replaces the file in one go: after a crash it holds the old or the new, whole. */
  save(credentials: Credentials): Promise<void>
}

export function credentialFile(folder: string): CredentialFile {
  const path = join(folder, 'host.json')
  return {
    load: async () => {
      try {
        return credentialsFrom(JSON.parse(await readFile(path, 'utf8')), path)
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
        if (error instanceof SyntaxError) throw damaged(path)
        throw error
      }
    },
    save: async (credentials) => {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      await chmod(folder, 0o700)
      const draft = `${path}.new`
      const file = await open(draft, 'w', 0o600)
      try {
        await file.writeFile(`${JSON.stringify(credentials, null, 2)}\n`)
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(draft, path)
    },
  }
}

function credentialsFrom(data: unknown, path: string): Credentials {
  const text = (name: keyof Credentials): string => {
    const value = typeof data === 'object' && data !== null ? (data as Partial<Credentials>)[name] : undefined
    if (typeof value !== 'string' || value === '') throw damaged(path)
    return value
  }
  return {
    hostId: text('hostId'),
    deployment: text('deployment'),
    certificate: text('certificate'),
    key: text('key'),
    ca: text('ca'),
  }
}

function damaged(path: string): Error {
  return new Error(`${path} is damaged; remove it and join this host again with a new join token.`)
}
