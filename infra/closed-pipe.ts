let whenClosed = (): void => process.exit();

/** A reader that has seen enough (`| head -1`) ends the command, quietly and with the status that it has. */
export function endAtClosedPipe(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
      whenClosed();
    });
  }
}

/** For a command that has something to clean up. */
export function onClosedPipe(end: () => void): void {
  whenClosed = end;
}
