import { Code, Loader, Stack, Text, Title } from '@mantine/core'
import type { ImageView, ProvenanceView } from '@gantry/facade-native/views'
import { useQuery } from '@tanstack/react-query'
import { call } from '../../api/client.ts'
import { bytesText } from '../../parts/amounts.ts'
import { Facts } from '../../parts/facts.tsx'
import { Failure } from '../../parts/failure.tsx'

/** Where an image comes from, what it is made of, and what uses it. */
export function Provenance({ image }: { readonly image: ImageView }) {
  const { data, error, isLoading } = useQuery({
    queryKey: ['image', image.id, 'provenance'],
    queryFn: ({ signal }) => call<ProvenanceView>(`/v1/images/${image.id}/provenance`, { signal }),
    enabled: image.digest !== null,
  })
  if (error) return <Failure error={error} what="What it is made of could not be read" />
  if (isLoading) return <Loader size="sm" aria-label="Loading what it is made of" />
  if (!data) return null
  const signed = data.signatures.map(({ verified }) => (verified === null ? 'not judged' : verified ? 'good' : 'wrong'))
  return (
    <Stack gap="sm">
      <Facts
        facts={[
          ['Platforms', data.platforms.join(', ')],
          ['Used by', data.usedBy.join(', ')],
          ['Signatures', signed.length === 0 ? 'none' : signed.join(', ')],
          ['Pushed', new Date(data.pushedAt).toLocaleString()],
        ]}
      />
      <Title order={3} size="h5">
        Layers
      </Title>
      {data.layers.map(({ digest, bytes, createdBy }, index) => (
        <div key={`${digest} ${String(index)}`}>
          <Text size="xs" c="dimmed">
            {bytesText(bytes)}
          </Text>
          <Code block style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
            {createdBy === '' ? digest : createdBy}
          </Code>
        </div>
      ))}
    </Stack>
  )
}
