import { callerOf, streamSignal } from '@gantry/http'
import { type App, type NativeContext, Ref } from '../context.ts'
import { operation } from '../operation.ts'
import { SignaturePolicy, type SignaturePolicyView } from '../schemas-image.ts'
import { toProvenanceView } from '../translate-image.ts'

const tag = 'images'

/** Where images come from, which are trusted, and the care of the store they are in. */
export function registryCareRoutes(app: App, { control }: NativeContext): void {
  const { images, registry } = control
  app.get('/images/:ref/provenance', { schema: provenanceDoc }, async (request) => {
    const caller = callerOf(request)
    return toProvenanceView(await registry.provenance(caller, await images.find(caller, request.params.ref)))
  })
  app.get('/image-policy', { schema: policyDoc }, async (request) => {
    return shown(await images.signaturePolicy(callerOf(request)))
  })
  app.put('/image-policy', { schema: setPolicyDoc }, async (request) => {
    return shown(await images.setSignaturePolicy(callerOf(request), request.body))
  })
  app.delete('/image-policy', { schema: clearPolicyDoc }, async (request, reply) => {
    await images.setSignaturePolicy(callerOf(request), { keys: [] })
    return reply.code(204).send()
  })
  app.post('/image-store/sweep', { schema: sweepDoc }, async (request, reply) =>
    registry.sweep(callerOf(request), streamSignal(reply)),
  )
  app.post('/image-store/verify', { schema: verifyDoc }, async (request, reply) => {
    const { checked, corrupt } = await registry.verify(callerOf(request), streamSignal(reply))
    return { checked, corrupt: [...corrupt] }
  })
}

function shown({ keys }: { readonly keys: readonly string[] }): SignaturePolicyView {
  return { keys: [...keys] }
}

const provenanceDoc = operation({
  operationId: 'showImageProvenance',
  summary: 'Show where an image comes from: its layers, who pushed it, what uses it, who signed it',
  tag,
  params: Ref,
  answer: { status: 200, description: 'Its provenance.', content: 'ImageProvenance' },
})
const policyDoc = operation({
  operationId: 'showImagePolicy',
  summary: 'Show by which keys images must be signed to run in the project',
  tag,
  answer: { status: 200, description: 'The keys; none: nothing is asked.', content: 'SignaturePolicy' },
})
const setPolicyDoc = operation({
  operationId: 'setImagePolicy',
  summary: 'Let only images run that are signed by one of these keys',
  tag,
  body: SignaturePolicy,
  answer: { status: 200, description: 'The keys as they are now.', content: 'SignaturePolicy' },
})
const clearPolicyDoc = operation({
  operationId: 'clearImagePolicy',
  summary: 'Ask for no signatures any more',
  tag,
  answer: { status: 204, description: 'Done.' },
})
const sweepDoc = operation({
  operationId: 'sweepImageStore',
  summary: 'Free what no image needs any more; administrators only',
  tag,
  answer: { status: 200, description: 'What was freed.', content: 'SweptImages' },
})
const verifyDoc = operation({
  operationId: 'verifyImageStore',
  summary: 'Read the whole image store again; administrators only',
  tag,
  answer: { status: 200, description: 'What is not sound.', content: 'VerifiedImages' },
})
