/*
 * Holds a transaction up at the one moment at which others see what it has committed but have not been told of it: it has left the
 * list of running transactions, and its invalidation messages are sent after the commit callbacks. As long as the file FLAG exists.
 */
#include "postgres.h"
#include <unistd.h>
#include "access/xact.h"
#include "fmgr.h"

PG_MODULE_MAGIC;

PGDLLEXPORT void _PG_init(void);

static void
pause_here(XactEvent event, void *arg)
{
	while (event == XACT_EVENT_COMMIT && access(FLAG, F_OK) == 0)
		pg_usleep(1000L);
}

void
_PG_init(void)
{
	RegisterXactCallback(pause_here, NULL);
}
