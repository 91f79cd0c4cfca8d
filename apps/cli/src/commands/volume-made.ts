import type { Api } from '../client/api.ts'
import { Failure } from '../failure.ts'
import { type Collection, until } from './collection.ts'

interface Made {
  readonly id: string
  readonly name: string
  readonly status: string
  readonly statusReason: string | null
}

/** The volume, snapshot or backup once it is there. Throws why it could not be made. */
export async function untilMade<T extends Made>(api: Api, collection: Collection<T>, { id }: T): Promise<T> {
  const made = await until(api, collection, id, ({ status }) => status !== 'creating')
  if (made.status !== 'error') return made
  const { noun } = collection
  const reason = made.statusReason ?? 'no reason was given'
  throw new Failure(`The ${noun} ${made.name || id} was not made: ${reason}`, {
    remedy: 'It is kept for you to look at.',
  })
}
