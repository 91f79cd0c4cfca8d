import { stat } from 'node:fs/promises'
import { type Connector, type Reached, textOf } from './connector.ts'
import { isMissing } from './records.ts'

/** `local`: a device or file that is on this machine already, as Cinder's drivers of that kind say (`device_path`). */
export const localConnector: Connector = {
  targetOf: (connection) => textOf(connection, 'device_path'),
  connect: async (connection) => {
    const found = await reached(textOf(connection, 'device_path'))
    if (found) return found
    throw new Error('Its data is missing on the host.')
  },
  find: (connection) => reached(textOf(connection, 'device_path')),
  disconnect: async () => {},
}

/** null: there is nothing of that name. */
export async function reached(path: string): Promise<Reached | null> {
  try {
    const found = await stat(path)
    if (found.isBlockDevice()) return { kind: 'device', path }
    if (found.isFile()) return { kind: 'file', path }
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
  throw new Error('The storage named something that is neither a device nor a file.')
}
