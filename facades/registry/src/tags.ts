import type { FastifyReply } from 'fastify'
import type { Visit } from './distribution.ts'
import { sendPage } from './pages.ts'

export async function sendTags({ request, reply, repository, name }: Visit): Promise<FastifyReply> {
  return sendPage(request, reply, { key: 'tags', head: { name }, list: (page) => repository.tags(page) })
}
