-- what `prisma migrate` makes of schema.prisma
CREATE TABLE "User" (
    "id" UUID NOT NULL,
    "email" TEXT NOT NULL,
    "plan" TEXT NOT NULL DEFAULT 'free',
    CONSTRAINT "User_pkey" PRIMARY KEY ("id")
);
CREATE TABLE "Order" (
    "id" BIGSERIAL NOT NULL,
    "user_id" UUID NOT NULL,
    "total" DECIMAL(65, 30) NOT NULL,
    "placed_at" TIMESTAMPTZ(6),
    CONSTRAINT "Order_pkey" PRIMARY KEY ("id")
);
CREATE UNIQUE INDEX "User_email_key" ON "User" ("email");
ALTER TABLE "Order" ADD CONSTRAINT "Order_user_id_fkey"
    FOREIGN KEY ("user_id") REFERENCES "User" ("id") ON DELETE RESTRICT ON UPDATE CASCADE;
