import type { Row } from '../../client/index';
import { badgesOf, type Badge as BadgeName } from '../state/rows';
import { Badge } from '../ui/Badge';
import type { IconName } from '../ui/icons';
import { roleName } from '../words/people';
import { staffWords } from '../words/staff';

interface Props {
  row: Row;
}

/** The name, and at the other end what changes with time. */
export function RowHead({ row, aside }: Props & { aside: string }) {
  return (
    <p class="person-head">
      <bdi class="person-name">{row.name}</bdi>
      <span class="person-aside">{aside}</span>
    </p>
  );
}

/** Why and for when; for a guest, in which role and for whom. */
export function Facts({ row }: Props) {
  const facts = [
    row.role === 'patient' ? undefined : roleName[row.role],
    row.patientName === undefined ? undefined : staffWords.forPatient(row.patientName),
    row.reason,
    row.scheduledAt > 0 ? staffWords.scheduled(row.scheduledAt) : undefined,
    row.arrivedAt > 0 ? staffWords.arrived(row.arrivedAt) : undefined,
  ];
  return (
    <p class="person-facts" dir="auto">
      {facts.filter(Boolean).join(' · ')}
    </p>
  );
}

const looks: Record<BadgeName, { icon: IconName; kind?: 'warning' | 'danger' }> = {
  interpreter: { icon: 'interpreter' },
  noCamera: { icon: 'cameraOff' },
  noMicrophone: { icon: 'microphoneOff' },
  reconnecting: { icon: 'weak', kind: 'warning' },
  gone: { icon: 'lost', kind: 'danger' },
  away: { icon: 'hidden', kind: 'warning' },
  moved: { icon: 'move' },
};

export function Badges({ row }: Props) {
  const badges = badgesOf(row);
  if (badges.length === 0) return null;
  return (
    <p class="badges">
      {badges.map((name) => (
        <Badge key={name} {...looks[name]}>
          {staffWords.badges[name]}
          {name === 'moved' && <bdi>{row.movedReason}</bdi>}
          {name === 'interpreter' && row.language !== undefined && ` (${row.language})`}
        </Badge>
      ))}
    </p>
  );
}
