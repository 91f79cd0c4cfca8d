import { Alert, Button, Group, List, Stack, Text } from '@mantine/core'
import { Dialog } from '../../parts/dialog.tsx'
import type { HostView } from '@gantry/facade-native/views'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { call } from '../../api/client.ts'
import { counted } from '../../parts/amounts.ts'
import { Failure } from '../../parts/failure.tsx'

interface Leaver {
  readonly id: string
  readonly name: string
}

interface DrainedView {
  readonly moving: readonly Leaver[]
  readonly staying: readonly (Leaver & { readonly reason: string })[]
}

/** Empties a host, and says what stays there and why. */
export function Drain({ host, onClose }: { readonly host: HostView; readonly onClose: () => void }) {
  const client = useQueryClient()
  const draining = useMutation({
    mutationFn: () => call<DrainedView>(`/v1/hosts/${host.id}/drain`, { method: 'POST' }),
    onSuccess: () => client.invalidateQueries({ queryKey: ['host'] }),
  })
  return (
    <Dialog title={`Drain ${host.name}`} onClose={onClose}>
      <Stack>
        {draining.data ? (
          <Drained drained={draining.data} />
        ) : (
          <Text size="sm">
            Nothing new comes to it, and its {counted(host.used.containers, 'container')} that can leave are made anew
            on other hosts, with their volumes and addresses. What is only in their own file systems is lost.
          </Text>
        )}
        {draining.error && <Failure error={draining.error} what="The host could not be drained" />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose} data-autofocus>
            {draining.data ? 'Close' : 'Cancel'}
          </Button>
          {!draining.data && (
            <Button color="red.8" loading={draining.isPending} onClick={() => draining.mutate()}>
              Drain
            </Button>
          )}
        </Group>
      </Stack>
    </Dialog>
  )
}

function Drained({ drained: { moving, staying } }: { readonly drained: DrainedView }) {
  return (
    <>
      <Alert color="teal" role="status">
        {counted(moving.length, 'container leaves', 'containers leave')}, {staying.length} stay.
      </Alert>
      {staying.length > 0 && (
        <List size="sm" aria-label="What stays and why">
          {staying.map(({ id, name, reason }) => (
            <List.Item key={id} style={{ overflowWrap: 'anywhere' }}>
              <b>{name}</b>: {reason}
            </List.Item>
          ))}
        </List>
      )}
    </>
  )
}
