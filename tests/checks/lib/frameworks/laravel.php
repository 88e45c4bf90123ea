<?php
// The files of the page, with Eloquent and Laravel's migrations.
require '/usr/share/php/Illuminate/Database/autoload.php';
require '/usr/share/php/Illuminate/Events/autoload.php';

use Illuminate\Container\Container;
use Illuminate\Database\Capsule\Manager;
use Illuminate\Database\Eloquent\Model;
use Illuminate\Database\Schema\Blueprint;
use Illuminate\Events\Dispatcher;
use Illuminate\Support\Facades\DB;
use Illuminate\Support\Facades\Facade;

$manager = new Manager;
$manager->addConnection(['driver' => 'pgsql', 'host' => getenv('PGHOST'), 'port' => getenv('PGPORT'),
    'database' => getenv('PGDATABASE'), 'username' => getenv('PGUSER'), 'charset' => 'utf8', 'schema' => 'public',
    'timezone' => 'UTC']);
$application = new Container;
$manager->setEventDispatcher(new Dispatcher($application));
$manager->setAsGlobal();
$manager->bootEloquent();
$application->instance('db', $manager->getDatabaseManager());
Facade::setFacadeApplication($application);
date_default_timezone_set('UTC');

class User extends Model { protected $guarded = []; }
class Order extends Model { protected $guarded = []; protected $dateFormat = 'Y-m-d H:i:s.u'; }
class Notification extends Model
{
    protected $guarded = [];
    public $incrementing = false;
    protected $keyType = 'string';
}

function same($what, $got, $expected) { echo json_encode([$what, $got, $expected], JSON_PRESERVE_ZERO_FRACTION), "\n"; }

function figures($message)
{
    $columns = 'sent, opened, matched, worth::float8';
    $row = (array) DB::selectOne("SELECT $columns FROM goals.message_stats WHERE message = ?", [$message]);
    return [$row['sent'], $row['opened'], $row['matched'], (float) $row['worth']];
}

/** What a file of the page returns. */
function from_page($file)
{
    $uses = "<?php\nuse Illuminate\\Database\\Migrations\\Migration;\nuse Illuminate\\Support\\Facades\\DB;\n";
    $copy = tempnam(sys_get_temp_dir(), 'page');
    file_put_contents($copy, $uses . $file);
    $found = require $copy;
    unlink($copy);
    return $found;
}

function tables()
{
    $schema = Manager::schema();
    $schema->create('users', function (Blueprint $t) {
        $t->id(); $t->string('email')->unique(); $t->string('plan')->default('free'); $t->timestamps();
    });
    $schema->create('orders', function (Blueprint $t) {
        $t->id(); $t->foreignId('user_id'); $t->decimal('total');
        $t->timestamp('completed_at', 6)->nullable(); $t->timestamps(6);
    });
    $schema->create('notifications', function (Blueprint $t) {
        $t->uuid('id')->primary(); $t->string('type'); $t->morphs('notifiable'); $t->text('data');
        $t->timestamp('read_at')->nullable(); $t->timestamps();
    });
}

function play($whose)
{
    $users = [];
    for ($n = 0; $n < 20; $n++) $users[] = User::create(['email' => "user$n@example.org"]);
    $query = 'SELECT * FROM goals.deliver(?, ?, ref => ?)';
    $deliver = fn ($user) => DB::selectOne($query, ['welcome', $user->id, "job $user->id"]);
    foreach (array_slice($users, 0, 10) as $user) $deliver($user);
    same("$whose: a job that is tried again", $deliver($users[0])->repeated, true);
    try {
        DB::transaction(function () use ($deliver, $users) { $deliver($users[19]); throw new Exception('undone'); });
    } catch (Exception $e) {
    }
    $keys = '{' . implode(',', array_map(fn ($user) => $user->id, array_slice($users, 10, 3))) . '}';
    same("$whose: several", DB::selectOne("SELECT goals.record_sent('welcome', ?::text[]) AS n", [$keys])->n, 3);
    foreach ($users as $n => $user) {
        foreach ($n % 4 ? ['App\Models\User'] : ['App\Models\User', 'App\Models\Team'] as $m => $class) {
            Notification::create(['id' => sprintf('%08d-0000-4000-8000-%012d', $n, $m),
                'type' => 'App\Notifications\InvoicePaid', 'notifiable_type' => $class, 'notifiable_id' => $user->id,
                'data' => '{}']);
        }
    }
    foreach (Notification::where('notifiable_id', '<=', $users[7]->id)->get() as $one) {
        $one->update(['read_at' => new DateTime]);
    }
    foreach (array_slice($users, 0, 4) as $user) { $user->plan = 'pro'; $user->save(); $user->touch(); }
    foreach (array_slice($users, 3, 6) as $n => $user) {
        $order = Order::create(['user_id' => $user->id, 'total' => "$n.50"]);
        if ($n > 0) $order->update(['completed_at' => new DateTime]);
    }
    $placed = Order::whereNotNull('completed_at');
    $mine = Notification::where('notifiable_type', 'App\Models\User');
    same("$whose: welcome", figures('welcome'), [13, 0, User::where('plan', 'pro')->count(), 0.0]);
    same("$whose: notifications", figures('invoice paid'),
        [$mine->count(), (clone $mine)->whereNotNull('read_at')->count(),
         $placed->count(), (float) $placed->sum('total')]);
    same("$whose: health", DB::select('SELECT problem, object FROM goals.health()'), []);
}

$page = fn ($name) => from_page(file_get_contents(getenv('PAGE') . "/$name"));
$track = $page('database/migrations/2026_01_01_000000_track_tables.php');
$messages = $page('database/migrations/2026_01_01_000001_create_messages.php');
$method = preg_replace('/^.*protected/s', '', file_get_contents(getenv('PAGE') . '/tests/TestCase.php'));
$tests = from_page("return new class { public $method };");

tables();
$track->up();
$messages->up();
play('migrated');
$before = figures('welcome');
DB::transaction(function () {
    DB::statement('SELECT goals.pause()');
    User::query()->update(['plan' => 'pro']);
});
same('figures after a correction', figures('welcome'), $before);
Manager::schema()->table('users', fn (Blueprint $t) => DB::statement('ALTER TABLE users RENAME plan TO tier'));
$track->down();
same('untracked', DB::selectOne("SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'pg_goals%'")->count, 0);
$track->up();
$messages->down();
same('dropped', DB::select('SELECT message FROM goals.message_stats'), []);
$messages_fail = false;
try { $messages->up(); } catch (Exception $e) { $messages_fail = str_contains($e->getMessage(), '42703'); }
same('a goal on the old name', $messages_fail, true);

// as RefreshDatabase does at the beginning of each run
foreach (['first', 'second'] as $run) {
    $tests->beforeRefreshingDatabase();
    Manager::schema()->dropAllTables();
    tables();
    $track->up();
    $messages->up();
    play("the $run run");
}
DB::statement('SELECT goals.reset()');
same('reset', figures('welcome'), [0, 0, 0, 0.0]);
