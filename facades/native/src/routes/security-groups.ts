import { callerOf } from '@gantry/http'
import { Fault } from '@gantry/kernel'
import Type from 'typebox'
import { type App, type NativeContext, Ref } from '../context.ts'
import { deleting, listing, operation, showing } from '../operation.ts'
import { Nothing } from '../query.ts'
import { AddRule, CreateSecurityGroup } from '../schemas-network.ts'
import { toGroupView, toNewRule, toRuleView } from '../translate-network.ts'

const tag = 'networks'
const group = { tag, noun: 'security group', schema: 'SecurityGroup' }
const RuleParams = Type.Object({ ...Ref.properties, ruleId: Type.String({ minLength: 1, maxLength: 64 }) })

export function securityGroupRoutes(app: App, { control }: NativeContext): void {
  const { groups } = control.network
  app.get('/security-groups', { schema: listing(group, Nothing) }, async (request) => {
    return { securityGroups: (await groups.list(callerOf(request))).map(toGroupView) }
  })
  app.post('/security-groups', { schema: createDoc }, async (request, reply) => {
    const { name, description = '' } = request.body
    const made = await groups.create(callerOf(request), { name, description })
    return reply.code(201).header('location', `/v1/security-groups/${made.id}`).send(toGroupView(made))
  })
  app.get('/security-groups/:ref', { schema: showing(group, Nothing) }, async (request) => {
    return toGroupView(await groups.get(callerOf(request), request.params.ref))
  })
  app.delete('/security-groups/:ref', { schema: deleting(group, Nothing) }, async (request, reply) => {
    await groups.delete(callerOf(request), request.params.ref)
    return reply.code(204).send()
  })
  app.post('/security-groups/:ref/rules', { schema: addRuleDoc }, async (request, reply) => {
    const rule = await groups.addRule(callerOf(request), request.params.ref, toNewRule(request.body))
    return reply.code(201).send(toRuleView(rule))
  })
  app.delete('/security-groups/:ref/rules/:ruleId', { schema: removeRuleDoc }, async (request, reply) => {
    const { ref, ruleId } = request.params
    const { rules, name } = await groups.get(callerOf(request), ref)
    // Only a rule of the group that the path names.
    const id = rules.find((rule) => rule.id === ruleId)?.id
    if (id === undefined) throw notOf(ruleId, name)
    await groups.removeRule(callerOf(request), id)
    return reply.code(204).send()
  })
}

function notOf(ruleId: string, group: string): Fault {
  return new Fault('network.not-found', { type: `rule of security group ${group}`, ref: ruleId })
}

const createDoc = operation({
  operationId: 'createSecurityGroup',
  summary: 'Create a security group; its members may send, and nobody may reach them until a rule says so',
  tag,
  body: CreateSecurityGroup,
  answer: { status: 201, description: 'The security group.', content: 'SecurityGroup' },
})
const addRuleDoc = operation({
  operationId: 'addRule',
  summary: 'Let something through to (ingress) or from (egress) the members of a security group',
  tag,
  params: Ref,
  body: AddRule,
  answer: { status: 201, description: 'The rule.', content: 'Rule' },
})
const removeRuleDoc = operation({
  operationId: 'removeRule',
  summary: 'Remove a rule of a security group',
  tag,
  params: RuleParams,
  answer: { status: 204, description: 'Removed.' },
})
