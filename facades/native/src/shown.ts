import type { Control } from '@gantry/control'
import { callerOf } from '@gantry/http'
import type { Caller, Container } from '@gantry/model'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { ContainerView } from './schemas.ts'
import { toContainerView } from './translate.ts'

type Looks = Pick<Control, 'network'>

/** A container with what leads to it. */
export async function shown({ network }: Looks, caller: Caller, container: Container): Promise<ContainerView> {
  const published = await network.publishedOf(caller, [container])
  return toContainerView(container, caller, published.get(container.id))
}

/** The wish is recorded: that another service cannot be asked just now what leads to the container is no failure of it. */
export async function shownAfter(control: Looks, caller: Caller, container: Container): Promise<ContainerView> {
  return shown(control, caller, container).catch(() => toContainerView(container, caller))
}

/** The answer to a verb. */
export async function accepted(
  control: Looks,
  request: FastifyRequest,
  reply: FastifyReply,
  container: Container,
): Promise<FastifyReply> {
  return reply.code(202).send(await shownAfter(control, callerOf(request), container))
}
