/** What GET /v1/demo answers in development. */
export interface DemoPerson {
  name: string;
  link: string;
}

export interface Demo {
  clinic: string;
  patient: DemoPerson;
  specialist: DemoPerson;
  clinician: DemoPerson;
}

export async function readDemo(): Promise<Demo> {
  const answer = await fetch('/v1/demo', { cache: 'no-store' });
  if (!answer.ok) throw new Error(`demo: ${answer.status}`);
  return (await answer.json()) as Demo;
}
