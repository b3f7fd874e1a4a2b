import { compareOutput } from '../../lab/compare.ts';
import type { LabStep } from '../../lab/schema.ts';
import type { CommandTranscript, LabTranscript } from '../../lab/transcript.ts';

/** What became of one step, for the report. */
export interface StepReport {
  id: string;
  title: string;
  commands: { run: string; matches: boolean; diff: readonly string[] }[];
  missed: { object: string; expected: string; actual: string }[];
}

/** Compares what a step's commands printed with the published transcript, by the rules of the recordings. */
export function reportStep(
  step: LabStep,
  printed: readonly CommandTranscript[],
  published: LabTranscript | undefined,
  missed: StepReport['missed'],
): StepReport {
  const expected = published?.steps.find((candidate) => candidate.id === step.id)?.commands ?? [];
  const commands = printed.map((command, index) => {
    const want = expected[index];
    const definition = step.commands[index];
    // How much of a watch is seen depends on when it is stopped.
    const free = definition === undefined || definition.random || definition.stopWhen !== undefined || definition.stopAfterSeconds !== undefined;
    if (!want || free) return { run: command.run, matches: true, diff: [] };
    const diff = compareOutput(command.run, { stdout: want.output, exit: want.exit }, { stdout: command.output, exit: command.exit });
    return { run: command.run, matches: diff.length === 0, diff };
  });
  return { id: step.id, title: step.title, commands, missed };
}

/** The report as text; `verbose` adds what differs. */
export function formatReport(reports: readonly StepReport[], verbose: boolean): { text: string; ok: boolean } {
  let text = '';
  let ok = true;
  for (const report of reports) {
    const good = report.commands.every((command) => command.matches) && report.missed.length === 0;
    ok &&= good;
    text += `${good ? 'ok    ' : 'differs'} ${report.id}  ${report.title}\n`;
    for (const { object, expected, actual } of report.missed) text += `        goal not reached: ${object}: expected ${expected}, is ${actual}\n`;
    for (const command of report.commands) {
      if (command.matches) continue;
      text += `        $ ${command.run}\n`;
      if (verbose) for (const line of command.diff.slice(0, 40)) text += `            ${line}\n`;
    }
  }
  const matched = reports.reduce((sum, report) => sum + report.commands.filter((command) => command.matches).length, 0);
  const total = reports.reduce((sum, report) => sum + report.commands.length, 0);
  const reached = reports.filter((report) => report.missed.length === 0).length;
  return { text: `${text}${matched} of ${total} commands printed what the lesson shows; ${reached} of ${reports.length} steps reached their goal\n`, ok };
}
