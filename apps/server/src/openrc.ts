import { rename, writeFile } from 'node:fs/promises'

/** Writes a file of credentials: whole or not at all, readable by its owner only. */
export async function writeSecretFile(path: string, text: string): Promise<void> {
  const draft = `${path}.${process.pid}.new`
  await writeFile(draft, text, { mode: 0o600 })
  await rename(draft, path)
}
