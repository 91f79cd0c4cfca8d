import { link, open, rm } from 'node:fs/promises'
import { randomIds } from '@gantry/kernel'

/**
 * Creates `path` with mode 0600 and this content, whole or not at all, and never over an existing file. Answers false if
 * there is one already (another process was first).
 */
export async function createSecretFile(path: string, content: string): Promise<boolean> {
  const draft = `${path}.${randomIds.hex(6)}.new`
  const file = await open(draft, 'wx', 0o600)
  try {
    await file.writeFile(content)
    await file.sync()
  } finally {
    await file.close()
  }
  try {
    await link(draft, path)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  } finally {
    await rm(draft, { force: true })
  }
}
