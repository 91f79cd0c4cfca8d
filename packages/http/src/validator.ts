import { Fault } from '@gantry/kernel'
import type { FastifySchemaCompiler } from 'fastify'
import type { TSchema } from 'typebox'
import { Compile, type Validator } from 'typebox/compile'
import { Pointer } from 'typebox/value'

type Problem = ReturnType<Validator['Errors']>[number]

/**
 * TypeBox instead of Ajv: 29 times cheaper to compile, and the schemas are the types. Values are checked, not converted;
 * a failed check becomes `request.invalid` with the first few problems named by their path.
 */
export const validatorCompiler: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  // At the first request that needs it: most routes of most processes are never called.
  let check: Validator | undefined
  return (value: unknown) => {
    check ??= Compile<TSchema>(schema)
    if (check.Check(value)) return { value }
    const problems = innermost(check.Errors(value)).slice(0, 3)
    const text = problems.map((each) => `${each.instancePath || 'body'}: ${sentenceOf(each, schema)}`).join('; ')
    const problem = text || 'The request does not have the expected form.'
    const field = problems[0]?.instancePath ?? ''
    return {
      error: new Fault('request.invalid', { problem, ...(httpPart === 'body' && field !== '' && { field }) }),
    }
  }
}

/** One for each place: that its parent, or another branch of a union, does not fit either is no news. */
function innermost(problems: readonly Problem[]): Problem[] {
  return problems.filter(
    ({ instancePath }, at) => !problems.slice(0, at).some((before) => before.instancePath.startsWith(instancePath)),
  )
}

const types: Readonly<Record<string, string>> = {
  integer: 'a whole number',
  number: 'a number',
  string: 'a text',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
}

/** For a person; what a pattern stands for is what its schema says of itself. */
function sentenceOf(problem: Problem, schema: TSchema): string {
  const { keyword, params, message, schemaPath } = problem
  if (keyword === 'minimum') return `must be at least ${params.limit}`
  if (keyword === 'maximum') return `must be at most ${params.limit}`
  if (keyword === 'boolean') return 'is not known here'
  if (keyword === 'type') {
    const { type } = params
    return typeof type === 'string' && types[type] !== undefined ? `must be ${types[type]}` : message
  }
  if (keyword !== 'pattern') return message
  const described = Pointer.Get(schema, schemaPath.slice(1)) as { description?: string } | undefined
  const [meaning] = described?.description?.split(/\.(?:$| (?=[A-Z]))/) ?? []
  return meaning === undefined ? message : `does not fit: ${meaning}`
}
