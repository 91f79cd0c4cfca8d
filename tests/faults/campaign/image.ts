import type { Client, User } from './client.ts'
import { eventually } from './waiting.ts'

/** What the engine of that host has becomes everybody's. */
export async function publish(client: Client, admin: User, ref: string, host: string): Promise<void> {
  const asked = { method: 'POST', path: '/container/v1/images', body: { repo: ref, host } }
  const { status, text, json } = await client.ask(admin, asked)
  if (status !== 202) throw new Error(`${ref} was not published: ${status} ${text}`)
  const { uuid } = json as { uuid: string }
  const isThere = async () => {
    const shown = await client.ask(admin, { method: 'GET', path: `/container/v1/images/${uuid}` })
    return Boolean((shown.json as { image_id?: string }).image_id)
  }
  if (!(await eventually(isThere, 60, 100))) throw new Error(`${ref} was not published within a minute.`)
}
