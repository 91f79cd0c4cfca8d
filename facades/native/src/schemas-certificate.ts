import Type, { type Static } from 'typebox'
import { exact, listOf, orNull, Time } from './fields.ts'

export const CreateCertificate = Type.Object(
  {
    csr: Type.String({
      minLength: 1,
      maxLength: 8192,
      description: 'PKCS#10 in PEM, signed by its own ECDSA P-256 key. Only the public key is taken from it.',
    }),
    name: Type.Optional(orNull(Type.String({ minLength: 1, maxLength: 64, description: 'Left out or null: docker.' }))),
    days: Type.Optional(
      orNull(Type.Integer({ minimum: 1, maximum: 365, description: 'How long it lives. Left out or null: 365.' })),
    ),
  },
  exact,
)

const Certificate = Type.Object({
  serial: Type.String({ description: 'Hex.' }),
  userId: Type.String(),
  projectId: Type.String(),
  name: Type.String(),
  createdAt: Time,
  expiresAt: Time,
})
export type CertificateView = Static<typeof Certificate>

const NewCertificate = Type.Object({
  ...Certificate.properties,
  certificate: Type.String({ description: 'PEM.' }),
  ca: Type.String({ description: 'The authority that signed it and the server’s own certificate, PEM.' }),
})

export const certificateDocuments = {
  Certificate,
  NewCertificate,
  CertificateList: listOf('certificates', 'Certificate'),
} as const
