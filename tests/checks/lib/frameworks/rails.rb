# The files of the page, with Active Record's own tasks and migrations.
require "active_record"
require "json"
require "stringio"

PAGE = ENV["PAGE"]
Tasks = ActiveRecord::Tasks::DatabaseTasks
ActiveRecord::Base.configurations = {
  "test" => { "adapter" => "postgresql", "host" => ENV["PGHOST"], "port" => ENV["PGPORT"], "username" => ENV["PGUSER"],
              "database" => ENV["PGDATABASE"], "template" => "shop_template" },
}
CONFIG = ActiveRecord::Base.configurations.configs_for(env_name: "test").first
ActiveRecord::Base.default_timezone = :utc
ActiveRecord::Migration.verbose = false
Tasks.env = "test"
Tasks.db_dir = "db"

%w[lib/goals.rb lib/tasks/goals.rake config/initializers/goals.rb].each { |file| load File.join(PAGE, file) }

# the page's migrations, and one before and one after them
MIGRATIONS = File.join(PAGE, "db/migrate")
File.write(File.join(MIGRATIONS, "20250101000000_tables.rb"), <<~RUBY)
  class Tables < ActiveRecord::Migration[6.1]
    def change
      create_table(:users) { |t| t.string :email, null: false; t.string :plan, default: "free"; t.timestamps }
      create_table(:orders) { |t| t.references :user; t.decimal :total; t.datetime :completed_at; t.timestamps }
      create_table(:noticed_notifications) do |t|
        t.string :type
        t.references :recipient, polymorphic: true
        t.datetime :read_at, :seen_at
        t.timestamps
      end
    end
  end
RUBY
File.write(File.join(MIGRATIONS, "20260301000000_plan_becomes_tier.rb"), <<~RUBY)
  class PlanBecomesTier < ActiveRecord::Migration[6.1]
    def change
      rename_column :users, :plan, :tier
    end
  end
RUBY

def migrate(direction, version)
  ActiveRecord::MigrationContext.new([MIGRATIONS], ActiveRecord::SchemaMigration).send(direction, version)
  [User, Order, Notification].each(&:reset_column_information)
end

class User < ActiveRecord::Base; end
class Order < ActiveRecord::Base; end
class Notification < ActiveRecord::Base
  self.table_name = "noticed_notifications"
  self.inheritance_column = nil
end

def same(what, got, expected)
  puts JSON.generate([what, got, expected])
end

def query(sql)
  ActiveRecord::Base.connection.select_rows(sql)
end

def figures(message)
  query("SELECT sent, opened, matched, worth::float8 FROM goals.message_stats WHERE message = '#{message}'").first
end

# made again, as `rails db:test:prepare` does
def again
  Tasks.purge(CONFIG)
  ActiveRecord::Base.establish_connection(:test)
  [User, Order, Notification].each(&:reset_column_information)
end

def play(whose)
  users = (0...20).map { |n| User.create!(email: "user#{n}@#{n % 5 == 0 ? 'shop.' : ''}example.org") }
  users.first(10).each { |user| Goals.deliver("welcome", user, ref: "job #{user.id}") }
  again = Goals.deliver("welcome", users[0], ref: "job #{users[0].id}")
  same("#{whose}: a job that is tried again", again["repeated"], true)
  User.transaction { Goals.deliver("welcome", users[19]); raise ActiveRecord::Rollback }
  type = "CommentNotifier::Notification"
  users.each { |user| Notification.create!(type: type, recipient_type: "User", recipient_id: user.id) }
  3.times { |n| Notification.create!(type: type, recipient_type: "Team", recipient_id: users[n].id) }
  Notification.where("id % 2 = 0").find_each { |one| one.update!(read_at: Time.now) }
  Notification.first.update!(read_at: Time.now)
  Notification.first.update!(read_at: nil)
  users.first(4).each { |user| user.update!(plan: "pro") }
  users.each(&:touch)
  users[3..8].each_with_index do |user, n|
    order = Order.create!(user_id: user.id, total: "#{n}.50")
    order.update!(completed_at: Time.now) if n > 0
  end
  placed = Order.where.not(completed_at: nil)
  to_users = Notification.where(recipient_type: "User")
  read = to_users.where.not(read_at: nil).count + 1 # the first, which was marked as unread again
  same("#{whose}: welcome", figures("welcome"), [10, 0, User.where(plan: "pro").count, 0.0])
  same("#{whose}: notifications", figures("new comment"), [to_users.count, read, placed.count, placed.sum(:total).to_f])
  same("#{whose}: health", query("SELECT problem, object FROM goals.health()"), [])
end

again
migrate(:up, 20260101000000)
play("migrated")
before = figures("welcome")
migrate(:up, 20260201000000)
same("corrected", User.where(plan: "pro").count > before[2], true)
same("figures after it", figures("welcome"), before)
migrate(:up, 20260301000000)
User.where(tier: "free").order(:id).first.update!(tier: "pro")
same("under the new name", figures("welcome")[2], before[2] + 1)
migrate(:down, 20260201000000)
query("DELETE FROM schema_migrations WHERE version = '20260201000000'") # which has no reverse
migrate(:down, 20250101000000)
same("untracked", query("SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'pg_goals%'"), [[0]])
migrate(:up, 20260101000000)
same("tracked again", figures("welcome")[2], before[2] + 1)
again
migrate(:up, 20260101000000)

# the tests' database, from schema.rb
schema = StringIO.new
ActiveRecord::SchemaDumper.dump(ActiveRecord::Base.connection, schema)
File.write("schema.rb", schema.string)
again
silenced = $stdout
$stdout = StringIO.new
load "./schema.rb"
$stdout = silenced
same("set up by schema.rb", Goals.set_up?, false)
Goals.set_up unless Goals.set_up?
same("set up", Goals.set_up?, true)
play("schema.rb")

# from structure.sql
Dir.mkdir("db") unless Dir.exist?("db")
Tasks.structure_dump(CONFIG, "db/structure.sql")
same("triggers in structure.sql", File.read("db/structure.sql").include?("CREATE TRIGGER pg_goals"), true)
without_triggers("db/structure.sql")
again
Tasks.structure_load(CONFIG, "db/structure.sql")
ActiveRecord::Base.establish_connection(:test)
Goals.set_up
play("structure.sql")

# schema.rb loaded into a database that is kept drops the tables
$stdout = StringIO.new
ENV["CLEARING"].split(";\n").each { |sql| ActiveRecord::Base.connection.execute(sql) }
load "./schema.rb"
$stdout = silenced
same("cleared", Goals.set_up?, false)
Goals.set_up
play("kept")
ActiveRecord::Base.connection.execute("SELECT goals.reset()")
same("reset", figures("welcome"), [0, 0, 0, 0.0])
